"""The project's own task distribution: families of tasks with seeded parameters."""
