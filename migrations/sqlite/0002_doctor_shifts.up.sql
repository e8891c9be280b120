-- When a doctor is there. Instants, not hours of a weekday: a change of the clocks moves none.

create table doctor_shifts (
  id integer constraint doctor_shifts_pkey primary key,
  doctor_id integer not null constraint doctor_shifts_doctor_id_fkey references doctors (id),
  -- The day on which it begins by the doctor's clock, such as callers ask for.
  day text not null,
  starts_at text not null,
  ends_at text not null,
  constraint doctor_shifts_form check (
    day is date(day)
    and starts_at is strftime('%Y-%m-%dT%H:%M:%SZ', starts_at)
    and ends_at is strftime('%Y-%m-%dT%H:%M:%SZ', ends_at)
  ),
  -- As far as clocks on Earth are apart: from 12 hours behind UTC to 14 before.
  constraint doctor_shifts_day check (
    unixepoch(starts_at) >= unixepoch(day) - 14 * 3600
    and unixepoch(starts_at) < unixepoch(day) + 36 * 3600
  ),
  constraint doctor_shifts_order check (starts_at < ends_at),
  constraint doctor_shifts_length check (unixepoch(ends_at) - unixepoch(starts_at) <= 24 * 3600)
) strict;

create index doctor_shifts_doctor_id_idx on doctor_shifts (doctor_id, starts_at);

create trigger doctor_shifts_no_overlap before insert on doctor_shifts
when exists (
  select 1 from doctor_shifts
  where doctor_id = new.doctor_id and starts_at < new.ends_at and new.starts_at < ends_at
)
begin
  select raise(abort, 'doctor_shifts_no_overlap');
end;

create trigger doctor_shifts_no_overlap_update before update on doctor_shifts
when exists (
  select 1 from doctor_shifts
  where id <> old.id
    and doctor_id = new.doctor_id and starts_at < new.ends_at and new.starts_at < ends_at
)
begin
  select raise(abort, 'doctor_shifts_no_overlap');
end;
