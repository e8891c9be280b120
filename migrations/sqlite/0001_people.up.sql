-- Who is treated, and who treats. Times are text in UTC, 2026-03-09T08:30:00Z: the form that
-- `strftime('%Y-%m-%dT%H:%M:%SZ', …)` gives, so that their order as text is their order in time.

create table patients (
  id integer constraint patients_pkey primary key,
  name text not null constraint patients_name_length check (length(name) between 1 and 200),
  -- E.164: a caller is known by it.
  phone text not null
    constraint patients_phone_key unique
    constraint patients_phone_form check (
      phone glob '+[1-9]*' and length(phone) between 8 and 16 and substr(phone, 2) not glob '*[^0-9]*'
    ),
  date_of_birth text constraint patients_date_of_birth_form check (date_of_birth = date(date_of_birth)),
  created_at text not null default (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) strict;

create table doctors (
  id integer constraint doctors_pkey primary key,
  name text not null constraint doctors_name_length check (length(name) between 1 and 200),
  -- The number in the medical register: two doctors may share a name, never this.
  registration_number text not null constraint doctors_registration_number_key unique,
  specialty text not null constraint doctors_specialty_length check (length(specialty) between 1 and 100),
  -- IANA name, such as Europe/Berlin: what "nine o'clock" means at this doctor's.
  time_zone text not null constraint doctors_time_zone_length check (length(time_zone) between 1 and 64),
  created_at text not null default (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) strict;

create index doctors_specialty_idx on doctors (specialty);
