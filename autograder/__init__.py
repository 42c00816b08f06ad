"""The grader: builds the course's notebooks, tests its checks, grades submissions."""
