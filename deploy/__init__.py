"""What brings the services to life: the command line, the embedded stack, the demo province."""
