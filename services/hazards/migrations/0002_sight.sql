-- Cases and alarms by region and enterprise; a timeline with its case.

CALL bound('cases', in_sight());
CALL bound('alarms', in_sight());
CALL bound('timeline', 'EXISTS (SELECT FROM cases c WHERE c.id = timeline.case_id)');
CALL bound('deadline_periods', anyone());
CALL bound('case_policies', NULL);

REVOKE ALL ON cases, case_policies FROM :service_ask;
GRANT SELECT, UPDATE (version, state, grade, due_at, overdue, tier, next_check_at, responsible, measures, money, plan,
    submitted_by, changed_at) ON cases TO :service_ask;
