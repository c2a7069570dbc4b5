CREATE TABLE IF NOT EXISTS visits (
  number bigint NOT NULL,
  path text NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
