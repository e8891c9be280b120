drop trigger doctor_shifts_in_use_update;
drop trigger doctor_shifts_in_use;
drop table appointments;
