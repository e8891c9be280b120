-- What a tool that writes has done. Its row is written in the transaction of the work itself, so a
-- repeated call finds the first one's result, and one whose outcome is unknown can be looked up.

create table tool_calls (
  -- Made of session, tool and arguments.
  key text not null constraint tool_calls_pkey primary key,
  session_id text not null,
  tool text not null,
  result jsonb not null default 'null',
  created_at timestamptz not null default now()
);

create index tool_calls_session_id_idx on tool_calls (session_id);
