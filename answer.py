def answer(x=1):
    return x + 41

