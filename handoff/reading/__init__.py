"""What people may see of the house's work: bounded queries for one actor, behind the console and the API alike."""
