"""Who may do what in AWS, evaluated offline."""
