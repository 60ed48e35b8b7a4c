"""One small loader for each kind of reference; `pellucid.opening.doors` lists them."""
