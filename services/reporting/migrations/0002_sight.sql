-- Figures and what they count by region and enterprise; a name is seen by whoever sees a figure of it.

CALL bound('facts', in_sight());
CALL bound('rollups', in_sight());
CALL bound('cases', in_sight());
CALL bound('enterprises', 'EXISTS (SELECT FROM rollups r WHERE r.enterprise = enterprises.uscc)');

CREATE INDEX rollups_of_enterprise ON rollups (enterprise);
