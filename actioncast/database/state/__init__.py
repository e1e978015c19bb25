"""What the branch `state` keeps of a SQLite database: text partitions, thinned, from which it is built again."""
