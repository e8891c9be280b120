drop trigger doctor_shifts_in_use on doctor_shifts;
drop function doctor_shifts_check_appointments();
drop table appointments;
drop function appointments_check_shift();
