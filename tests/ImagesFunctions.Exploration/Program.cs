using ImagesFunctions.Exploration;

return Commands.Run(args, Console.Out);
