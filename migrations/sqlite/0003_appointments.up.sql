-- Who sees whom, and when. Two booked appointments of one doctor cannot overlap, and none lies outside
-- the doctor's shifts, whoever writes them. Triggers say so: SQLite has no exclusion constraint, and
-- since it has one writer at a time, none can slip in between.

create table appointments (
  id integer constraint appointments_pkey primary key,
  doctor_id integer not null constraint appointments_doctor_id_fkey references doctors (id),
  patient_id integer not null constraint appointments_patient_id_fkey references patients (id),
  appointment_datetime text not null,
  ends_at text not null,
  status text not null default 'booked'
    constraint appointments_status_known check (status in ('booked', 'cancelled')),
  reason text not null default '' constraint appointments_reason_length check (length(reason) <= 500),
  -- The call that booked it; null where a person did.
  session_id text,
  created_at text not null default (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
  constraint appointments_form check (
    appointment_datetime is strftime('%Y-%m-%dT%H:%M:%SZ', appointment_datetime)
    and ends_at is strftime('%Y-%m-%dT%H:%M:%SZ', ends_at)
  ),
  constraint appointments_order check (appointment_datetime < ends_at),
  constraint appointments_length check (unixepoch(ends_at) - unixepoch(appointment_datetime) <= 8 * 3600)
) strict;

create index appointments_appointment_datetime_idx on appointments (appointment_datetime);
create index appointments_patient_id_idx on appointments (patient_id);
create index appointments_doctor_id_idx on appointments (doctor_id);

create trigger appointments_no_overlap before insert on appointments
when new.status = 'booked' and exists (
  select 1 from appointments
  where doctor_id = new.doctor_id and status = 'booked'
    and appointment_datetime < new.ends_at and new.appointment_datetime < ends_at
)
begin
  select raise(abort, 'appointments_no_overlap');
end;

create trigger appointments_no_overlap_update before update on appointments
when new.status = 'booked' and exists (
  select 1 from appointments
  where id <> old.id and doctor_id = new.doctor_id and status = 'booked'
    and appointment_datetime < new.ends_at and new.appointment_datetime < ends_at
)
begin
  select raise(abort, 'appointments_no_overlap');
end;

create trigger appointments_within_shift before insert on appointments
when new.status = 'booked' and not exists (
  select 1 from doctor_shifts
  where doctor_id = new.doctor_id
    and starts_at <= new.appointment_datetime and new.ends_at <= ends_at
)
begin
  select raise(abort, 'appointments_within_shift');
end;

create trigger appointments_within_shift_update before update on appointments
when new.status = 'booked' and not exists (
  select 1 from doctor_shifts
  where doctor_id = new.doctor_id
    and starts_at <= new.appointment_datetime and new.ends_at <= ends_at
)
begin
  select raise(abort, 'appointments_within_shift');
end;

create trigger doctor_shifts_in_use after delete on doctor_shifts
when exists (
  select 1 from appointments
  where doctor_id = old.doctor_id and status = 'booked'
    and old.starts_at <= appointment_datetime and ends_at <= old.ends_at
)
begin
  select raise(abort, 'appointments_within_shift');
end;

create trigger doctor_shifts_in_use_update after update on doctor_shifts
when exists (
  select 1 from appointments
  where doctor_id = old.doctor_id and status = 'booked'
    and old.starts_at <= appointment_datetime and ends_at <= old.ends_at
    and not (
      new.doctor_id = doctor_id
      and new.starts_at <= appointment_datetime and ends_at <= new.ends_at
    )
)
begin
  select raise(abort, 'appointments_within_shift');
end;
