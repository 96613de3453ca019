"""Each module here is a group of commands: its `register(app)` adds them to the command line."""
