"""What works on the lakehouse from outside: batch runs, the Spark server, tapes, checks and deployment."""
