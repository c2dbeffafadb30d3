"""At the cursor: values, equations, variables, origin, and what changed."""
