"""What the services stand on, the bus and the database, and what comes of it all: the figures of the trade."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.panels import PACE, Line, board, graph, number, p99


def bus() -> Dashboard:
    """The topics, as producers and consumers see them."""
    return board(
        "fengsui-bus",
        "烽燧 Fengsui: the bus 消息总线",
        (
            (
                "Out",
                (
                    graph(
                        "Said",
                        (
                            Line(
                                f"sum by (service, topic) (rate(fengsui_events_out_total[{PACE}]))",
                                "{{service}} {{topic}}",
                            ),
                        ),
                        "Events a second that the broker acknowledged from outboxes; the door sends its own.",
                        "cps",
                    ),
                    graph(
                        "99 of 100 are acknowledged faster",
                        (Line(p99("fengsui_send_seconds"), "send"),),
                        "Time until the broker acknowledged a batch.",
                        "s",
                    ),
                    graph(
                        "Producers made anew",
                        (
                            Line(
                                "sum by (service, cause) (increase(fengsui_producer_renewals_total[15m]))",
                                "{{service}} {{cause}}",
                            ),
                        ),
                        "In 15 minutes; daily for age is normal.",
                    ),
                    graph(
                        "Outboxes",
                        (Line("max by (service) (fengsui_outbox_age_seconds)", "{{service}}"),),
                        "Age of the oldest event that waits to be sent.",
                        "s",
                    ),
                ),
            ),
            (
                "In",
                (
                    graph(
                        "Waiting",
                        (Line("service_topic:fengsui_lag_records:sum", "{{service}} {{topic}}"),),
                        "Records not taken yet.",
                    ),
                    graph(
                        "Time to take what waits",
                        (Line("service_topic:fengsui_lag:seconds", "{{service}} {{topic}}"),),
                        "At the pace of the last five minutes.",
                        "s",
                    ),
                    graph(
                        "Taken",
                        (Line("service_topic:fengsui_events_in:rate5m", "{{service}} {{topic}}"),),
                        "Events a second.",
                        "cps",
                    ),
                    graph(
                        "Dead letters",
                        (Line("max by (service) (fengsui_dead_letters)", "{{service}}"),),
                        "Those that wait for a person.",
                    ),
                    graph(
                        "Partitions not open",
                        (
                            Line(
                                'sum by (service, topic, state) (fengsui_partitions{state!="open"})',
                                "{{service}} {{topic}} {{state}}",
                            ),
                        ),
                        "Closed ones are looked at every two seconds, stopped ones wait for a person.",
                    ),
                    graph(
                        "Lost to retention",
                        (
                            Line(
                                "sum by (service, topic) (increase(fengsui_gap_records_total[1d]))",
                                "{{service}} {{topic}}",
                            ),
                        ),
                        "Records that were deleted before they were read, in a day.",
                    ),
                ),
            ),
        ),
    )


def database() -> Dashboard:
    """PostgreSQL as our own processes measure it; no exporter is needed."""
    return board(
        "fengsui-database",
        "烽燧 Fengsui: the database 数据库",
        (
            (
                "PostgreSQL, by our own measure",
                (
                    number("Size", "max(fengsui_database_bytes)", "All schemas with their indexes.", "bytes"),
                    number(
                        "Connections",
                        "max(fengsui_database_connections) / max(fengsui_database_connections_most)",
                        "The share that is taken.",
                        "percentunit",
                        0.9,
                    ),
                    number(
                        "Transactions since the oldest frozen row",
                        "max(fengsui_database_xid_age)",
                        "At 2.1 billion PostgreSQL takes no more.",
                        bad_from=1e9,
                    ),
                    number(
                        "Free on the disk of HOME",
                        "min(fengsui_home_free_bytes)",
                        "Below 1 GiB the door refuses. Of an embedded stack this is the database's and the bus's disk.",
                        "bytes",
                    ),
                    graph(
                        "The database's answer",
                        (Line(p99("fengsui_database_seconds", "service"), "{{service}}"),),
                        "99 of 100 answers to the same small question are faster.",
                        "s",
                    ),
                    graph(
                        "99 of 100 batches are faster",
                        (Line(p99("fengsui_batch_seconds", "service"), "{{service}}"),),
                        "One batch is one transaction.",
                        "s",
                    ),
                    graph(
                        "Batches that did not commit",
                        (
                            Line(
                                "sum by (service, kind) (increase(fengsui_batch_failures_total[5m]))",
                                "{{service}} {{kind}}",
                            ),
                        ),
                        "In five minutes.",
                    ),
                    graph("Growth", (Line("max(fengsui_database_bytes)", "size"),), "Of all schemas.", "bytes"),
                    graph(
                        "Connections",
                        (Line("max(fengsui_database_connections)", "taken"),),
                        "Everybody's.",
                    ),
                    graph(
                        "Gauges are as old as",
                        (Line("max by (service) (time() - fengsui_gauges_timestamp_seconds)", "{{service}}"),),
                        "Over three minutes: what is read from the database is no longer true.",
                        "s",
                    ),
                ),
            ),
        ),
    )


def business() -> Dashboard:
    """The trade's own figures; the console's statistics are the exact ones, by region and day."""
    return board(
        "fengsui-business",
        "烽燧 Fengsui: business figures 业务指标",
        (
            (
                "How it stands 现状",
                (
                    number("Open cases 在办", "sum(max by (level) (fengsui_cases_open))", "Not closed and not void."),
                    number(
                        "Overdue 超期",
                        "sum(max by (level) (fengsui_cases_overdue))",
                        "Open cases past their deadline.",
                        bad_from=1,
                    ),
                    number(
                        "Unanswered 无人应答", "max(fengsui_unanswered_calls)", "Nobody is left to ask.", bad_from=1
                    ),
                    number(
                        "Sources silent 失联",
                        "max(fengsui_sources_silent)",
                        "Missed three of their own intervals.",
                        bad_from=1,
                    ),
                    graph(
                        "Open cases by level",
                        (Line("max by (level) (fengsui_cases_open)", "{{level}}"),),
                        "Red, orange, yellow, blue.",
                    ),
                    graph(
                        "Overdue by level",
                        (Line("max by (level) (fengsui_cases_overdue)", "{{level}}"),),
                        "Past their deadline.",
                    ),
                ),
            ),
            (
                "What happened in an hour 一小时内",
                (
                    graph(
                        "Facts",
                        (Line("sum by (measure) (increase(fengsui_facts_total[1h]))", "{{measure}}"),),
                        "Alarms, cases opened and closed, answers.",
                    ),
                    graph(
                        "Steps of cases",
                        (Line("sum by (kind) (increase(fengsui_cases_total[1h])) > 0", "{{kind}}"),),
                        "From opened to closed.",
                    ),
                    graph(
                        "Alarms of the engine",
                        (
                            Line(
                                "sum by (level, state) (increase(fengsui_engine_alarms_total[1h]))",
                                "{{level}} {{state}}",
                            ),
                        ),
                        "Raised and cleared by readings.",
                    ),
                    graph(
                        "Notifications",
                        (Line("sum by (state) (increase(fengsui_notifications_total[1h]))", "{{state}}"),),
                        "States entered.",
                    ),
                ),
            ),
        ),
    )
