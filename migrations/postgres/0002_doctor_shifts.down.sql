-- The extension stays: something else in this database may use it by now.
drop table doctor_shifts;
