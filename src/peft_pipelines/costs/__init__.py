"""What training and answering cost: time, memory, compute, energy."""
