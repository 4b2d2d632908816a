"""What each command of the command line does; ``videohoi.cli`` only declares them."""
