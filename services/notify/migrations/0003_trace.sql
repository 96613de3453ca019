-- The trace in which a call was made (W3C traceparent), for the attempts that follow; none of most.

ALTER TABLE calls ADD COLUMN traceparent text;
