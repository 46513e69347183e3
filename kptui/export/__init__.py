"""Sessions and events in the forms that other tools read."""
