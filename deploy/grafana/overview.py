"""Is an alarm reaching people, now?"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.panels import PACE, Line, board, graph, number, p99


def overview() -> Dashboard:
    """The one to leave open on the wall."""
    return board(
        "fengsui-overview",
        "烽燧 Fengsui: overview 总览",
        (
            (
                "Is an alarm reaching people, now? 报警送达",
                (
                    number(
                        "Not ready",
                        "count(fengsui_ready == 0) or vector(0)",
                        "Processes that say that they cannot do their job.",
                        bad_from=1,
                    ),
                    number(
                        "Oldest notification under way",
                        "max(fengsui_oldest_pending_seconds)",
                        "How long the oldest notification has not arrived at anybody.",
                        "s",
                        60,
                    ),
                    number(
                        "Unanswered",
                        "max(fengsui_unanswered_calls)",
                        "Calls that went through all their tiers, and nobody is left to ask.",
                        bad_from=1,
                    ),
                    number(
                        "Regions without anyone on duty",
                        "count(max by (region) (fengsui_on_duty) == 0) or vector(0)",
                        "The province, and those that a roster ever named.",
                        bad_from=1,
                    ),
                    number(
                        "Slowest consumer",
                        "max(service_topic:fengsui_lag:seconds)",
                        "How long what waits on the bus takes at the present pace.",
                        "s",
                        60,
                    ),
                    number(
                        "Dead letters",
                        "sum(max by (service) (fengsui_dead_letters))",
                        "Records that no service could take; they wait for a person.",
                        bad_from=1,
                    ),
                ),
            ),
            (
                "From the door to people",
                (
                    graph(
                        "Accepted at the door",
                        (
                            Line(
                                f'sum by (kind) (rate(fengsui_door_items_total{{outcome="accepted"}}[{PACE}]))',
                                "{{kind}}",
                            ),
                        ),
                        "Items a second that were acknowledged; each must have its effect.",
                        "cps",
                    ),
                    graph(
                        "99 of 100 are faster",
                        (
                            Line(p99("fengsui_door_seconds", "path"), "answer at the door, {{path}}"),
                            Line(p99("fengsui_event_to_case_seconds"), "to the case"),
                            Line(p99("fengsui_event_to_notification_seconds"), "to the notification"),
                        ),
                        "From the door's acceptance.",
                        "s",
                    ),
                    graph(
                        "Notifications",
                        (Line(f"sum by (state) (rate(fengsui_notifications_total[{PACE}]))", "{{state}}"),),
                        "States entered a second: pending should be followed by sent, and sent by acknowledged.",
                        "cps",
                    ),
                    graph(
                        "On their way",
                        (
                            Line("max(fengsui_deliveries_waiting)", "messages"),
                            Line("max(fengsui_unanswered_calls)", "unanswered calls"),
                        ),
                        "Messages that have not arrived, and calls that nobody answers.",
                    ),
                    graph(
                        "Waiting on the bus",
                        (Line("service_topic:fengsui_lag_records:sum", "{{service}} {{topic}}"),),
                        "Records that a service has not taken yet.",
                    ),
                    graph(
                        "The door's answers",
                        (Line(f"sum by (status) (rate(fengsui_door_requests_total[{PACE}])) > 0", "{{status}}"),),
                        "Requests a second by status: 503 means that a pusher must send again.",
                        "reqps",
                    ),
                ),
            ),
        ),
    )
