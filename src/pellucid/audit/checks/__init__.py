"""The checks that an audit can be made of, one a file."""
