"""What guidelines and labels say of this patient: criteria applied, regimens assembled, doses chosen, medicines weighed.

The door is `attach` (what the tools add to their results) and `topics.asked` (which topics a question raises).
"""
