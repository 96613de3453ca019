"""Who is told of a case, when the next tier is, and when it ends; nothing here reads, writes or waits."""
