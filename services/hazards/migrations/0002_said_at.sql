-- When an alarm was last said to be in alarm: an end that is older, but came later, must not silence it.

ALTER TABLE alarms ADD COLUMN said_at timestamptz;
