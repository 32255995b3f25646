"""The pages of docs/, done word by word: their commands are run and their answers compared."""
