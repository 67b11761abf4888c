"""What the API asks of the store: functions that run on the database thread, one transaction each, and the backend that has
them run. A function checks first and writes afterwards, so that what is refused has written nothing."""
