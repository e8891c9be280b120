drop table doctors;
drop table patients;
