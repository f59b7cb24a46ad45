"""Parts of several strategies: penalties and their importances, memories, batch norm."""
