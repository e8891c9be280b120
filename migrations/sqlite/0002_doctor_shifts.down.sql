drop table doctor_shifts;
