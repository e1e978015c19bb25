"""The command line: one series, many series, a scheduled job."""
