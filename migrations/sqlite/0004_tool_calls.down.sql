drop table tool_calls;
