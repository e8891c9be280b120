drop table call_records;
