"""The System page: is everything well?"""
