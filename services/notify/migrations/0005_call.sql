-- What a call's people were told is found by the call: the partial index served no question, so each read all rows.
DROP INDEX one_notification_per_contact;
CREATE UNIQUE INDEX one_notification_per_contact ON notifications (call_id, contact);

-- A notification changes once or twice, in no column that an index holds: in its own page if that has room.
ALTER TABLE notifications SET (fillfactor = 75);
