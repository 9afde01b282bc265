"""Groups of people by how their hearts respond to exercise, and whether there are any."""
