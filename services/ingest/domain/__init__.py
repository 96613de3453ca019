"""What is admitted at a door, what the registry holds, and when a reading is an alarm."""
