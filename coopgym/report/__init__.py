"""Pictures and pages made from stored records alone."""
