"""What goes wrong on the way from the service, on demand."""
