"""FitRec with speed as its target: how fast somebody goes, from heart rate and altitude."""
