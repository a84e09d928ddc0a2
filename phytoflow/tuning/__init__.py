"""The search for better settings: trials of trainings, and the judgement of the best one."""
