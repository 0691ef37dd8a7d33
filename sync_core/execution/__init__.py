"""How a run comes to a worker, is worked on under a lease, and is closed if its worker dies."""
