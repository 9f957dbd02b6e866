namespace ImagesFunctions.Exploration.Planted;

/// <summary>The clone that the program was built in.</summary>
internal static class Clone
{
    /// <summary>Its folder.</summary>
    public static string Root
    {
        get
        {
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "ImagesFunctions.sln")))
                {
                    return folder.FullName;
                }
            }

            throw new InvalidOperationException($"{AppContext.BaseDirectory} is in no clone of ImagesFunctions");
        }
    }
}
