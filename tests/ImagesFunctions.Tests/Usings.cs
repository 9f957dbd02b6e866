global using ImagesFunctions.Journal;
