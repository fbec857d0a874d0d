"""What AWS and we demand of the template: each rule is a function from a translated template to its faults."""
