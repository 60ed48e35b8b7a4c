"""Models behind glass: what may be seen of them is the type of the box."""
