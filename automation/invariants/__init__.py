"""What must hold after every fault, checked against the rows and against the world outside; changes nothing."""
