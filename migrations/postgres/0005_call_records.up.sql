-- Which calls there were. No words of the caller.

create table call_records (
  session_id text not null constraint call_records_pkey primary key,
  pipeline text not null,
  -- Phone number or identity, where the transport knows it.
  caller text,
  started_at timestamptz not null,
  ended_at timestamptz,
  end_reason text,
  turns integer not null default 0 constraint call_records_turns_positive check (turns >= 0),
  constraint call_records_order check (ended_at is null or started_at <= ended_at)
);

create index call_records_started_at_idx on call_records (started_at);
