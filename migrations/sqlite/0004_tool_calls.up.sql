-- What a tool that writes has done. Its row is written in the transaction of the work itself, so a
-- repeated call finds the first one's result, and one whose outcome is unknown can be looked up.

create table tool_calls (
  -- Made of session, tool and arguments.
  key text not null constraint tool_calls_pkey primary key,
  session_id text not null,
  tool text not null,
  result text not null default 'null' constraint tool_calls_result_json check (json_valid(result)),
  created_at text not null default (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) strict;

create index tool_calls_session_id_idx on tool_calls (session_id);
